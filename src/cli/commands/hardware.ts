import { Command } from 'commander';
import { OperatorError } from '../../core/errors.ts';
import { writeOutput } from '../output.ts';

/** `edge-infer hardware ...`: what licences are bound to. */
export function createHardwareCommand(): Command {
  return new Command('hardware')
    .summary('Tell a service without root what root may read of the hardware.')
    .description('What licences are bound to, for a service that does not run as root.')
    .addCommand(createRecordCommand());
}

const RECORD_HELP = `
To be run as root. The installed service has it run once after each start of the host (edge-infer-hardware.service). The
file holds digests, no serial number, and counts until the host starts again.

Examples:
  edge-infer hardware record`;

/** Enough for hosts with dozens of interfaces or slow disks, and less than the unit's own limit. */
const DEADLINE_MS = 15_000;

function createRecordCommand(): Command {
  return new Command('record')
    .summary('Leave digests of what only root may read, as root.')
    .description(
      "Leaves digests of the firmware's UUID and serial numbers and of the root disk, which only root may read, for a service that runs as another user.",
    )
    .addHelpText('after', RECORD_HELP)
    .action(record);
}

async function record(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new OperatorError(
      'OS',
      'only root may read what is to be recorded: run this as root, with sudo for instance',
    );
  }
  const [{ collectRootDigests }, { ROOT_DIGESTS_FILE }] = await Promise.all([
    import('../../hardware/collect-root-digests.ts'),
    import('../../hardware/root-digests.ts'),
  ]);
  const kinds = await collectRootDigests({ deadlineMs: DEADLINE_MS });
  if (!kinds.ok) throw new OperatorError('OS', kinds.error);
  const found = [...new Set(kinds.value)].join(', ');
  await writeOutput(
    found === ''
      ? `This host tells root no more than other users; ${ROOT_DIGESTS_FILE} says so.\n`
      : `Recorded in ${ROOT_DIGESTS_FILE}: ${found}.\n`,
  );
}
