import { stat } from 'node:fs/promises';
import { formatProblem } from '../../../config/problems.ts';
import { count } from '../../count.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';
import type { HostView } from '../host-view.ts';

export const configurationCheck: Check = {
  name: 'configuration',
  async run(host) {
    const { loaded, unitSettings } = host;
    if (!loaded.ok) {
      return loaded.error.map((mistake) =>
        problem(
          formatProblem(mistake),
          'The server does not start with this mistake, and a running one does not take the file up.',
          'edge-infer config check',
        ),
      );
    }
    const { file, config } = loaded.value;
    const services = config.services.map(({ deployName }) => deployName).join(', ');
    const where = file ?? 'no file, so defaults, variables and flags';
    return [
      fine(`${where}: ${count(config.services.length, 'service')} (${services})`),
      ...(unitSettings.length === 0
        ? []
        : [
            note(
              `the unit sets ${unitSettings.join(', ')}`,
              'Settings of the unit count before those of the file.',
              'systemctl cat edge-infer',
            ),
          ]),
      ...(await describeTaken(file, host)),
    ];
  },
};

const RELOAD = 'sudo systemctl reload edge-infer';

/** What the running server has made of it. */
async function describeTaken(file: string | undefined, { server }: HostView): Promise<Finding[]> {
  if (!server.ok) {
    return [];
  }
  const { takenAt, refusedAt, problems } = server.value.configuration;
  if (refusedAt !== undefined) {
    const meaning = `The server goes on with what it read ${takenAt}. The file has no mistakes now: reload it.`;
    const text = `a reload was refused ${refusedAt}: ${problems.join('; ')}`;
    return [warning(text, meaning, RELOAD)];
  }
  return [
    ...problems.map((each) =>
      warning(
        each,
        'Of the configuration in force this does not count.',
        'sudo systemctl restart edge-infer',
      ),
    ),
    ...(file === undefined ? [] : await findLaterChange(file, Date.parse(takenAt))),
  ];
}

/** The clock may have been set meanwhile, so that this is no more than a hint. */
async function findLaterChange(file: string, takenMs: number): Promise<Finding[]> {
  const { mtimeMs } = await stat(file);
  return mtimeMs <= takenMs
    ? []
    : [
        note(
          `${file} was changed after the server read it`,
          'It runs with what stood there before.',
          RELOAD,
        ),
      ];
}
