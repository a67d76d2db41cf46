/**
 * A process that writes records until it is done or killed, as servers and commands do:
 * `record-writer.ts NAME ROUNDS FOLDER...`. In each round it opens them anew, releases a licence
 * called NAME-ROUND, counts one second of running, and says what was written and what was not.
 */
import { historyOf, openFolders } from './open-folders.ts';

const [name = '', rounds = '', ...folders] = process.argv.slice(2);

for (let round = 1; round <= Number(rounds); round++) {
  const records = await openFolders(folders);
  records.add({ released: [`${name}-${round}`], trials: { [name]: historyOf(0, round) } });
  await records.save();
  const problems = records.problems.map(({ detail }) => detail);
  process.stdout.write(`${JSON.stringify({ round, problems })}\n`);
}
