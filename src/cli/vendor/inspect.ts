import { z } from 'zod';
import { exitCodes } from '../../core/errors.ts';
import { type DocumentLabel, findLabel } from '../../licensing/armour.ts';
import type { LicenseBuild } from '../../licensing/build-keys.ts';
import { verifyRelease } from '../../licensing/release.ts';
import { verifyRevocationList } from '../../licensing/revocations.ts';
import { verifyLicense } from '../../licensing/verify-license.ts';
import { readRequestFile } from '../license/read-request-file.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { readBuild } from './build-file.ts';
import { keyEntry, parseKeyFile } from './key-file.ts';
import { optionSchemas } from './options.ts';
import { allOrThrow, checkOptions } from './problems.ts';
import { readNamedFile } from './read-file.ts';
import { readRecordedLicense } from './register-entry.ts';
import { describeReleaseKey } from './release-key.ts';
import { MAX_REQUEST_BYTES } from './request.ts';
import { describeClaims, type Field, formatFields, formatTime } from './text.ts';

const inspectOptions = z.object({ build: optionSchemas.build, json: z.literal(true).optional() });

/** What a file is, whether it counts, and what it says. */
interface Finding {
  readonly document: string;
  /** Undefined where it counts. */
  readonly problem?: { readonly state: string; readonly detail: string };
  readonly fields: readonly Field[];
  readonly content?: unknown;
}

/** Prints what any of the licence's documents or a key file says; returns the exit code. */
export async function runInspect(
  path: string,
  given: Readonly<Record<string, unknown>>,
): Promise<number> {
  const options = checkOptions(inspectOptions, given, 'vendor inspect');
  const { file, build } = allOrThrow({
    file: await readNamedFile('FILE', path, MAX_REQUEST_BYTES),
    build: await readBuild(options.build),
  });
  const { document, problem, fields, content } = await inspect(file, build);
  const verdict: Field = ['verdict', problem === undefined ? 'in order' : describe(problem)];
  await writeOutput(
    options.json
      ? `${JSON.stringify({ document, ok: problem === undefined, problem, content })}\n`
      : formatFields([['document', document], verdict, ...fields]),
  );
  return problem === undefined ? exitCodes.OK : exitCodes.DATA;
}

function describe({ state, detail }: { readonly state: string; readonly detail: string }): string {
  return `${state}: ${printable(detail)}`;
}

async function inspect(file: Buffer, build: LicenseBuild): Promise<Finding> {
  // Mail adds text before it, of which only a request takes no harm.
  const [, start = ''] = /^(-----BEGIN EDGE-INFER [\s\S]{0,80})/m.exec(file.toString()) ?? [];
  const label = findLabel(file) ?? findLabel(Buffer.from(start));
  return label === undefined ? inspectUnlabelled(file) : inspectors[label](file, build);
}

const inspectors: Record<
  DocumentLabel,
  (file: Buffer, build: LicenseBuild) => Finding | Promise<Finding>
> = {
  LICENSE: inspectLicense,
  'LICENSE REQUEST': inspectRequest,
  'LICENSE RELEASE': inspectRelease,
  'REVOCATION LIST': inspectRevocationList,
};

function inspectLicense(file: Buffer, build: LicenseBuild): Finding {
  const verdict = verifyLicense(file, build);
  const recorded = readRecordedLicense(file.toString());
  const fields: Field[] = recorded.ok
    ? [...describeClaims(recorded.value.claims), ['signed with', recorded.value.kid]]
    : [];
  const content = recorded.ok ? recorded.value : undefined;
  const finding = { document: 'licence', fields, content };
  return verdict.ok ? finding : { ...finding, problem: verdict.error };
}

async function inspectRequest(file: Buffer): Promise<Finding> {
  const request = await readRequestFile(file);
  if (!request.ok) {
    return refuse('request', request.error);
  }
  const { machine, components, gpus, holder } = request.value;
  const fields: Field[] = [
    ['machine', machine],
    ['components', components.map(({ kind }) => kind).join(', ')],
    ['graphics cards', String(gpus.length)],
    ['holder', holder],
  ];
  return { document: 'request', fields, content: request.value };
}

function inspectRelease(file: Buffer): Finding {
  const release = verifyRelease(file);
  if (!release.ok) {
    return refuse('release', release.error);
  }
  const { licId, time, holder } = release.value;
  const fields: Field[] = [
    ['licence', licId],
    ['given up', formatTime(time)],
    ['holder', holder],
  ];
  return { document: 'release', fields, content: release.value };
}

function inspectRevocationList(file: Buffer, build: LicenseBuild): Finding {
  const list = verifyRevocationList(file, build);
  if (!list.ok) {
    return { document: 'revocation list', fields: [], problem: list.error };
  }
  const fields: Field[] = [
    ['issued', formatTime(list.value.issued)],
    ...list.value.revoked.map(({ lic_id, reason = '' }): Field => [lic_id, reason]),
  ];
  return { document: 'revocation list', fields, content: list.value };
}

/** A key file, or a request as typed or photographed. */
async function inspectUnlabelled(file: Buffer): Promise<Finding> {
  const text = file.toString();
  if (!text.trimStart().startsWith('{')) {
    return inspectRequest(file);
  }
  const key = parseKeyFile(text);
  if (!key.ok) {
    return refuse('signing key', key.error);
  }
  const entry = keyEntry(key.value);
  const fields: Field[] =
    entry.kind === 'release'
      ? [
          ['key', entry.kid],
          ['sha256 of release-key.pub', describeReleaseKey(entry.publicKey).fingerprint],
        ]
      : [['entry for license/build.json', JSON.stringify(entry)]];
  return { document: 'signing key', fields, content: entry };
}

function refuse(document: string, detail: string): Finding {
  return { document, fields: [], problem: { state: 'MALFORMED', detail } };
}
