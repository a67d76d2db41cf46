import { err } from '../../core/result.ts';
import { within } from '../../core/within.ts';
import { workApart } from '../apart.ts';
import { viewHost } from '../doctor/host-view.ts';
import { createRedactor } from '../doctor/redact.ts';
import type { CollectedFile, CollectInput } from './source.ts';
import { sources } from './sources.ts';

const LIMIT_MS = 15_000;

workApart<CollectInput, CollectedFile>(
  sources.map(({ name }) => name),
  async ({ configSources, logFile }, tell) => {
    const host = await viewHost(configSources);
    const redact = await createRedactor();
    // One after another: beside a server that serves, this has time.
    for (const { name, holds, limitMs = LIMIT_MS, collect } of sources) {
      const late = err('it did not answer in time');
      const collected = collect({ host, configSources, logFile });
      const found = (await within(limitMs, collected)) ?? late;
      const text = found.ok ? found.value : `not collected: ${found.error}\n`;
      tell(name, { name, holds: found.ok ? holds : `${holds}: not collected`, text: redact(text) });
    }
  },
);
