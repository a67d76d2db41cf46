import type { Lab } from './lab.ts';

/** What a unit can ask for and this machine's kernel may not do; each is tried, not looked up. */
const probes = {
  'MemoryMax=':
    // One line of 128 MiB, which tail keeps whole.
    '! systemd-run -q --wait -p MemoryMax=32M -p MemorySwapMax=0 sh -c "head -c 128M /dev/zero | tail"',
  'TasksMax=':
    '! systemd-run -q --wait -p TasksMax=3 sh -c "for i in 1 2 3 4; do sleep 1 & done; wait" ',
  'DevicePolicy=':
    'mknod -m 666 /dev/lab-probe c 1 3 && ! systemd-run -q --wait -p DevicePolicy=strict -p "DeviceAllow=/dev/zero r" sh -c ": < /dev/lab-probe"',
  // A port that nobody listens on: refused (status 7) unless the packet is not let out.
  'IPAddressDeny=':
    'systemd-run -q --wait -p IPAddressDeny=any -p SuccessExitStatus=28 curl -s -m 1 http://127.0.0.1:9/; [ $? -ne 7 ]',
  "LimitNOFILE= above the machine's own":
    '[ "$(systemd-run -q --wait --pipe -p LimitNOFILE=131072 sh -c "ulimit -n")" = 131072 ]',
} as const;

export type Feature = keyof typeof probes;

/** Those of the features that do nothing here, so that tests can say what they could not check. */
export async function findMissingFeatures(lab: Lab): Promise<ReadonlySet<Feature>> {
  const missing = new Set<Feature>();
  for (const [feature, probe] of Object.entries(probes) as [Feature, string][]) {
    const { code } = await lab.run(probe, { timeoutMs: 20_000 });
    if (code !== 0) {
      missing.add(feature);
    }
  }
  return missing;
}
