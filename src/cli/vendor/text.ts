import type { Claims } from '../../licensing/claims.ts';
import { formatTable, printable } from '../text-table.ts';

export type Field = readonly [name: string, value: string];

/** Lines of `name  value`. */
export function formatFields(fields: readonly Field[]): string {
  const rows = fields.map(([name, value]) => [name, printable(value)]);
  return formatTable(rows, { widths: [null, null] });
}

/** What a licence says, for people to read. */
export function describeClaims(claims: Claims): Field[] {
  const { fp } = claims;
  const hardware =
    'gpu' in fp
      ? 'one graphics card'
      : `${[...new Set(fp.components.map(({ k }) => k))].join(', ')}; needs ${fp.need}`;
  return [
    ['licence', claims.lic_id],
    ['customer', claims.customer],
    ['product', claims.product],
    ['deploy name', claims.deploy_name],
    ['kind', `${claims.kind}, ${claims.tier}`],
    ['issued', formatTime(claims.iat)],
    ['ends', claims.exp === undefined ? 'never' : formatTime(claims.exp)],
    ['updates until', claims.updates_until ?? 'without end'],
    ['hardware', hardware],
    ['containers', claims.container === 'allow' ? 'allowed' : 'not allowed'],
    ...describeList('features', claims.features),
    ...describeList('models', claims.models),
    ...describeList(
      'limits',
      claims.limits && Object.entries(claims.limits).map(([name, limit]) => `${name} ${limit}`),
    ),
    ...describeList('replaces', claims.replaces),
  ];
}

function describeList(name: string, values: readonly string[] | undefined): Field[] {
  return values === undefined ? [] : [[name, values.join(', ')]];
}

/** `2026-11-22 12:00:00 UTC` */
export function formatTime(secondsSince1970: number): string {
  const [day, time = ''] = new Date(secondsSince1970 * 1000).toISOString().split('T');
  return `${day} ${time.slice(0, 8)} UTC`;
}
