import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { createLicenseGate } from '../../src/licensing/gate.ts';
import type { LicensedService } from '../../src/licensing/judge-license.ts';
import type { LicenseDecision } from '../../src/licensing/verdict.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { putLicense, type TestHost, writeLicense } from './license-fixture.ts';

export const onCpu: LicensedService = {
  deployName: 'imagenet',
  model: 'efficientnet-lite0',
  device: 'cpu',
};

/** A gate over real files, on a host that the test moves about. */
export async function openGate(
  host: TestHost,
  { services = [onCpu], home }: { services?: readonly LicensedService[]; home?: string } = {},
) {
  const stateDir = home ?? (await temporaryFolder());
  const folder = join(stateDir, 'licenses');
  const decisions: LicenseDecision[] = [];
  const failures: unknown[] = [];
  const listProblems: string[] = [];
  const folderProblems: string[] = [];
  const gate = createLicenseGate({
    ...host.openSources({
      stateDir,
      license: { dir: folder, recordsDir: join(stateDir, 'second') },
    }),
    services: () => services,
    onDecision: (decision) => decisions.push(decision),
    onRecordProblem: () => undefined,
    onFolderProblem: (problem) => folderProblems.push(problem),
    onRevocationProblem: (problem) => listProblems.push(problem),
    onFailure: (error) => failures.push(error),
  });
  onTestFinished(() => gate.stop());
  return {
    gate,
    folder,
    stateDir,
    decisions,
    failures,
    listProblems,
    folderProblems,
    put: (name: string, claims: Parameters<typeof writeLicense>[0]) =>
      putLicense(folder, name, writeLicense(claims)),
    /** The state of the service, as soon as it is that. */
    reaches: (state: string) =>
      vi.waitFor(() => expect(gate.findDecision('imagenet').state).toBe(state), {
        timeout: 2_000,
        interval: 20,
      }),
  };
}
