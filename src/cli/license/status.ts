import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { ExitCodeName } from '../../core/errors.ts';
import type { Inspection } from '../../licensing/inspection.ts';
import { licenseStates } from '../../licensing/states.ts';
import {
  isServed,
  type LicenseDecision,
  type LicenseVerdict,
  leftDays,
} from '../../licensing/verdict.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { openLocalLicenses } from './local-licenses.ts';

/** `SOME_FAILED` where a service would be refused. */
export async function runLicenseStatus(isJson: boolean, command: Command): Promise<ExitCodeName> {
  const { config, inspect } = await openLocalLicenses(command);
  const inspection = await inspect();
  const text = isJson
    ? `${JSON.stringify(toJson(inspection, config.license.dir))}\n`
    : formatInspection(inspection, config.license.dir);
  await writeOutput(text);
  return inspection.decisions.every(isServed) ? 'OK' : 'SOME_FAILED';
}

function toJson(
  { decisions, folderProblems, recordProblems, revocationProblems, hardwareNotes }: Inspection,
  folder: string,
): object {
  const withDays = <Verdict extends LicenseVerdict>({ leftMs: _, ...verdict }: Verdict) => ({
    ...verdict,
    class: licenseStates[verdict.state].class,
  });
  return {
    folder,
    services: decisions.map(({ others, ...decision }) => ({
      ...withDays(decision),
      isServed: isServed(decision),
      daysLeft: leftDays(decision),
      others: others.map((verdict) => ({ ...withDays(verdict), daysLeft: leftDays(verdict) })),
    })),
    hardwareNotes,
    folderProblems,
    recordProblems,
    revocationProblems,
  };
}

const colours = { valid: 'green', warning: 'yellow', refused: 'red' } as const;

function formatInspection(
  { decisions, folderProblems, recordProblems, revocationProblems, hardwareNotes }: Inspection,
  folder: string,
): string {
  const others = decisions[0]?.others ?? [];
  const files = new Set(decisions.flatMap(({ file }) => file ?? []));
  const unused = others.filter(({ file }) => file !== undefined && !files.has(file));
  const lines = [
    ...decisions.flatMap(formatDecision),
    `Licences lie in ${printable(folder)}.`,
    ...unused.map(
      ({ file = '', state, detail }) => `  ${printable(file)}: ${state}, ${printable(detail)}`,
    ),
    ...folderProblems.map((problem) => `Of the folder: ${printable(problem)}.`),
    ...recordProblems.map(
      ({ path, detail }) => `The records at ${printable(path)} cannot be kept: ${detail}`,
    ),
    ...revocationProblems.map(
      (problem) => `A list of withdrawn licences does not count: ${printable(problem)}`,
    ),
    ...(decisions.every(isServed) ? [] : hardwareNotes.map((note) => `Of the hardware: ${note}.`)),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function formatDecision(decision: LicenseDecision): string[] {
  const { deployName, state, detail, remedy, licenseId, customer, tier, match } = decision;
  const word = styleText(colours[licenseStates[state].class], state, { stream: process.stdout });
  const title = isServed(decision) ? 'answered' : 'refused with 337000';
  return [
    `${printable(deployName)}: ${word}, requests are ${state === 'GPU_NOT_FOUND' ? 'refused with 336100' : title}`,
    `  ${capital(printable(detail))}.`,
    ...(customer === undefined
      ? []
      : [`  Licence ${licenseId} for ${printable(customer)}, tier ${tier}.`]),
    ...(match === undefined
      ? []
      : [
          `  Hardware: ${match.score} of ${match.of} match, ${match.need} are needed.`,
          ...match.components.map(
            ({ kind, matches, found }) =>
              `    ${kind.padEnd(15)} ${matches ? 'as licensed' : (found ?? 'other')}`,
          ),
        ]),
    ...(remedy === '' ? [] : [`  What to do: ${remedy}`]),
    '',
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
