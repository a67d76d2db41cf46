import { readPackageInfo } from '../../../platform/package-info.ts';
import type { ServerReport } from '../../running-server.ts';
import { SERVICE_UNIT } from '../../units/units.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';
import { formatDuration } from '../format-units.ts';
import type { HostView } from '../host-view.ts';

/** Whether a server runs, answers, and is of this release. */
export const serverCheck: Check = {
  name: 'server',
  async run(host) {
    const { server } = host;
    return server.ok ? describeServer(server.value) : [describeAbsence(host, server.error)];
  },
};

function describeAbsence({ addresses, unit }: HostView, reason: string): Finding {
  const { host, port } = addresses.admin;
  const text = `no server answers on the admin address ${host} port ${port}: ${reason}`;
  return unit(SERVICE_UNIT) === undefined
    ? warning(text, 'Nothing is served here with this configuration.', 'edge-infer serve')
    : problem(text, 'Requests are not answered.', 'sudo systemctl status edge-infer');
}

function describeServer({ status, version, uptimeS, services }: ServerReport): Finding[] {
  const own = readPackageInfo().version;
  return [
    version === own
      ? fine(`version ${version}, ${status}, started ${formatDuration(uptimeS)} ago`)
      : warning(
          `the server that runs is version ${version}, this program is ${own}`,
          'The running one was started before an upgrade, or from another folder.',
          'sudo systemctl restart edge-infer',
        ),
    ...services.map(({ deployName, state, problems, model, modelVersion, variant }) => {
      if (state === 'ready') {
        return problems.length === 0
          ? fine(`${deployName}: ready, ${model} ${modelVersion} (${variant})`)
          : warning(
              `${deployName}: ready, but ${problems.join('; ')}`,
              'It answers with fewer workers.',
            );
      }
      const text = `${deployName}: ${state}, ${problems.join('; ')}`;
      if (state === 'hung') {
        return problem(
          text,
          'Its callers wait in vain. Under systemd the watchdog ends and restarts the server; should this stay, do it by hand.',
          'sudo systemctl restart edge-infer',
        );
      }
      return state === 'loading'
        ? note(text, 'Requests are answered 336100 until it has loaded.')
        : problem(text, 'Requests are answered 336100.', 'edge-infer models check');
    }),
  ];
}
