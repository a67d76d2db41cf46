/** Prints the facts of the host it runs on, as `readHostFacts` returns them. */
import { readHostFacts } from '../../src/hardware/read-host-facts.ts';

process.stdout.write(JSON.stringify(await readHostFacts({ deadlineMs: 20_000 })));
