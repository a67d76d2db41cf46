import type { Command } from 'commander';
import type { ExitCodeName } from '../../core/errors.ts';
import { readPackageInfo } from '../../platform/package-info.ts';
import { readConfigSources } from '../config-options.ts';
import { writeOutput } from '../output.ts';
import { examine } from './examine.ts';
import { createReport, formatReport } from './report.ts';

/** `SOME_FAILED` where there is a problem. */
export async function runDoctor(isJson: boolean, command: Command): Promise<ExitCodeName> {
  const examined = await examine(readConfigSources(command));
  const report = createReport(examined, readPackageInfo().version);
  await writeOutput(isJson ? `${JSON.stringify(report)}\n` : formatReport(report));
  return report.ok ? 'OK' : 'SOME_FAILED';
}
