export interface StageShare {
  readonly stage: string;
  readonly meanMs: number;
}

/** Mean wall time of each stage since the server started, read from its metrics. */
export async function readStages(adminUrl: string): Promise<StageShare[]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const read = (suffix: string) =>
    new Map(
      [
        ...text.matchAll(
          new RegExp(
            `^edge_infer_stage_duration_seconds_${suffix}\\{.*stage="(\\w+)".*\\} (\\S+)$`,
            'gm',
          ),
        ),
      ].map(([, stage, value]) => [stage ?? '', Number(value)]),
    );
  const counts = read('count');
  return [...read('sum')].map(([stage, seconds]) => ({
    stage,
    meanMs: (seconds * 1000) / (counts.get(stage) ?? Number.NaN),
  }));
}
