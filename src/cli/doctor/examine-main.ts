/**
 * The checks, in a process of their own that the command can end: a disk or a network folder that
 * does not answer keeps whoever asked from ending by itself.
 */
import type { Check } from './check.ts';
import { checks } from './checks.ts';
import type { FromExaminer, ToExaminer } from './examine-messages.ts';
import { type Finding, warning } from './finding.ts';
import { type HostView, viewHost } from './host-view.ts';

function tell(message: FromExaminer): void {
  if (process.connected) {
    process.send?.(message);
  }
}

async function examine(sources: ToExaminer): Promise<void> {
  tell({ kind: 'begun', names: checks.map(({ name }) => name) });
  const host = await viewHost(sources);
  await Promise.all(
    checks.map(async (check) => {
      tell({ kind: 'checked', name: check.name, findings: await runCheck(check, host) });
    }),
  );
}

async function runCheck(check: Check, host: HostView): Promise<readonly Finding[]> {
  try {
    return await check.run(host);
  } catch (error) {
    const { message } = error as Error;
    return [warning(`this could not be checked: ${message}`, 'Something here is not as usual.')];
  }
}

process.once('message', (sources: ToExaminer) => {
  void examine(sources).then(() => process.disconnect());
});
