/** One thing to measure: does its work for one of `count` photos. */
export type Task = (photo: number) => unknown;

/**
 * CPU milliseconds of each task for one photo, round by round. The tasks take turns within a round,
 * so that a change in the machine's speed meets them all; the first rounds only warm up.
 */
export async function measureInTurns<Name extends string>(
  tasks: Readonly<Record<Name, Task>>,
  { rounds, photos, repeat }: { rounds: number; photos: number; repeat: number },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(tasks) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  const warmUpRounds = Math.ceil(rounds / 4);
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const name of names) {
      const before = process.cpuUsage();
      for (let i = 0; i < photos * repeat; i++) {
        await tasks[name](i % photos);
      }
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) measured[name].push((user + system) / 1000 / (photos * repeat));
    }
  }
  return measured;
}
