import { styleText } from 'node:util';
import type { Command } from 'commander';
import { type ExitCodeName, wireErrors } from '../../core/errors.ts';
import { licenseStates } from '../../licensing/states.ts';
import { isServed, type LicenseVerdict, leftDays } from '../../licensing/verdict.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { type LocalInspection, openLocalLicenses } from './local-licenses.ts';
import { awaitServerWord, isToldServed, type ToldService, tellService } from './told-service.ts';

/** What callers are answered by, as the running server says where there is one. `SOME_FAILED` where a service would be refused. */
export async function runLicenseStatus(isJson: boolean, command: Command): Promise<ExitCodeName> {
  const { config, inspect, askServer } = await openLocalLicenses(command);
  const inspection = await inspect();
  const server = await awaitServerWord(inspection, askServer);
  const services = inspection.decisions.map((decision) => tellService(decision, server));
  const told: Told = { ...inspection, folder: config.license.dir, isRunning: server !== undefined };
  await writeOutput(
    isJson ? `${JSON.stringify(toJson(services, told))}\n` : formatStatus(services, told),
  );
  return services.every(isToldServed) ? 'OK' : 'SOME_FAILED';
}

interface Told extends Omit<LocalInspection, 'server'> {
  readonly folder: string;
  readonly isRunning: boolean;
}

function toJson(
  services: readonly ToldService[],
  { folder, isRunning, folderProblems, recordProblems, ...more }: Told,
): object {
  const { revocationProblems, hardwareNotes } = more;
  const withDays = <Verdict extends LicenseVerdict>({ leftMs: _, ...verdict }: Verdict) => ({
    ...verdict,
    class: licenseStates[verdict.state].class,
  });
  return {
    folder,
    isRunning,
    services: services.map(({ decision, daysLeft, foundHere }) => {
      const { others: _, onCpu, ...told } = decision;
      const { others, ...found } = foundHere ?? decision;
      return {
        ...withDays(told),
        isServed: isServed(told),
        daysLeft,
        ...(onCpu && { onCpu: { state: onCpu.state, isServed: isServed(onCpu) } }),
        ...(foundHere && { foundHere: withDays(found) }),
        others: others.map((verdict) => ({ ...withDays(verdict), daysLeft: leftDays(verdict) })),
      };
    }),
    hardwareNotes,
    folderProblems,
    recordProblems,
    revocationProblems,
  };
}

const colours = { valid: 'green', warning: 'yellow', refused: 'red' } as const;

function formatStatus(services: readonly ToldService[], told: Told): string {
  const { decisions, folder, isRunning, folderProblems, recordProblems, hardwareNotes } = told;
  const others = decisions[0]?.others ?? [];
  const files = new Set(decisions.flatMap(({ file }) => file ?? []));
  const unused = others.filter(({ file }) => file !== undefined && !files.has(file));
  const lines = [
    ...services.flatMap(formatService),
    isRunning
      ? 'So says the server that is running.'
      : 'No running server answers for these licences: this is what one would say.',
    `Licences lie in ${printable(folder)}.`,
    ...unused.map(
      ({ file = '', state, detail }) => `  ${printable(file)}: ${state}, ${printable(detail)}`,
    ),
    ...folderProblems.map((problem) => `Of the folder: ${printable(problem)}.`),
    ...recordProblems.map(
      ({ path, detail }) => `The records at ${printable(path)} cannot be kept: ${detail}`,
    ),
    ...told.revocationProblems.map(
      (problem) => `A list of withdrawn licences does not count: ${printable(problem)}`,
    ),
    ...(services.every(isToldServed)
      ? []
      : hardwareNotes.map((note) => `Of the hardware: ${note}.`)),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function formatService({ decision, foundHere }: ToldService): string[] {
  const { onCpu, deployName, state, detail, remedy, licenseId, customer, tier, match } = decision;
  const facts = licenseStates[state];
  const word = styleText(colours[facts.class], state, { stream: process.stdout });
  const answer = 'fault' in facts ? `refused with ${wireErrors[facts.fault].wireCode}` : 'answered';
  return [
    `${printable(deployName)}: ${word}, requests are ${answer}`,
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
    ...(onCpu === undefined
      ? []
      : [
          `  That is on the graphics card, which "device: auto" takes where it can; on the CPU it is ${onCpu.state}.`,
        ]),
    ...(foundHere === undefined
      ? []
      : [
          `  This command, as another user or with other settings, finds: ${foundHere.state}, ${printable(foundHere.detail)}.`,
        ]),
    '',
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
