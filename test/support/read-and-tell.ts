/** Reads the hardware within so many ms, tells why that failed, and ends. */
import { readHostFacts } from '../../src/hardware/read-host-facts.ts';

const facts = await readHostFacts({ deadlineMs: Number(process.argv[2]) });
process.stdout.write(`${facts.ok ? 'read' : facts.error}\n`);
