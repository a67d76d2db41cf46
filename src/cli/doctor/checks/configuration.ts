import { stat } from 'node:fs/promises';
import { formatProblem } from '../../../config/problems.ts';
import { count } from '../../count.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem } from '../finding.ts';
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
      ...(file === undefined ? [] : await findLaterChange(file, host)),
    ];
  },
};

/** The clock may have been set meanwhile, so that this is no more than a hint. */
async function findLaterChange(file: string, { server }: HostView): Promise<Finding[]> {
  if (!server.ok) {
    return [];
  }
  const startedMs = Date.now() - server.value.uptimeS * 1000;
  const { mtimeMs } = await stat(file);
  return mtimeMs <= startedMs
    ? []
    : [
        note(
          `${file} was changed after the server started`,
          'Unless it was reloaded since, the server still runs with what stood there before.',
          'sudo systemctl reload edge-infer',
        ),
      ];
}
