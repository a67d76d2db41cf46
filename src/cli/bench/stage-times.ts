/** Seconds spent in each stage and how often, since the server started. */
export type StageTotals = ReadonlyMap<string, { readonly seconds: number; readonly count: number }>;

const SAMPLE = /^edge_infer_stage_duration_seconds_(sum|count)\{(?:.*,)?stage="(\w+)".*\} (\S+)$/gm;

/** Reads the totals of a server's stages from its metrics. */
export async function readStageTotals(adminUrl: string): Promise<StageTotals> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const totals = new Map<string, { seconds: number; count: number }>();
  for (const [, kind, stage = '', value] of text.matchAll(SAMPLE)) {
    const total = totals.get(stage) ?? { seconds: 0, count: 0 };
    total[kind === 'sum' ? 'seconds' : 'count'] = Number(value);
    totals.set(stage, total);
  }
  return totals;
}

/** The mean of each stage that was passed between two readings, in ms, in the order of passing. */
export function meanStagesMs(before: StageTotals, after: StageTotals): Record<string, number> {
  const means: Record<string, number> = {};
  for (const [stage, { seconds, count }] of after) {
    const earlier = before.get(stage) ?? { seconds: 0, count: 0 };
    if (count > earlier.count) {
      means[stage] = ((seconds - earlier.seconds) * 1000) / (count - earlier.count);
    }
  }
  return means;
}
