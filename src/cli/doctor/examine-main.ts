import type { ConfigSources } from '../../config/load.ts';
import { workApart } from '../apart.ts';
import type { Check } from './check.ts';
import { checks } from './checks.ts';
import { type Finding, warning } from './finding.ts';
import { type HostView, viewHost } from './host-view.ts';

workApart<ConfigSources, readonly Finding[]>(
  checks.map(({ name }) => name),
  async (sources, tell) => {
    const host = await viewHost(sources);
    await Promise.all(
      checks.map(async (check) => {
        tell(check.name, await runCheck(check, host));
      }),
    );
  },
);

async function runCheck(check: Check, host: HostView): Promise<readonly Finding[]> {
  try {
    return await check.run(host);
  } catch (error) {
    const { message } = error as Error;
    return [warning(`this could not be checked: ${message}`, 'Something here is not as usual.')];
  }
}
