/** One thing to measure: does its work for one photo. */
type Task = (photo: number) => unknown;

/** One that measures itself, in another process: CPU milliseconds a photo over `repeat` rounds of all. */
interface ProgramTask {
  measure(repeat: number): number;
}

/**
 * CPU milliseconds of each task for one photo, round by round. The tasks take turns within a round,
 * so that a change in the machine's speed meets them all; the first rounds only warm up.
 */
export async function measureInTurns(
  tasks: Readonly<Record<string, Task | ProgramTask>>,
  { rounds, photos, repeat }: { rounds: number; photos: number; repeat: number },
): Promise<Record<string, number[]>> {
  const measured: Record<string, number[]> = Object.fromEntries(
    Object.keys(tasks).map((name) => [name, []]),
  );
  const warmUpRounds = Math.ceil(rounds / 4);
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [name, task] of Object.entries(tasks)) {
      const times = measured[name] ?? [];
      if (typeof task !== 'function') {
        const cpuMs = task.measure(repeat);
        if (round >= 0) times.push(cpuMs);
        continue;
      }
      const before = process.cpuUsage();
      for (let i = 0; i < photos * repeat; i++) {
        await task(i % photos);
      }
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) times.push((user + system) / 1000 / (photos * repeat));
    }
  }
  return measured;
}
