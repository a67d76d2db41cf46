import type { Finding } from './finding.ts';
import type { HostView } from './host-view.ts';

/** One subject of the doctor's. What it throws, or does not end in time, becomes a finding. */
export interface Check {
  readonly name: string;
  run(host: HostView): Promise<readonly Finding[]>;
}
