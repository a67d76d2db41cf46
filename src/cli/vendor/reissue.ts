import { z } from 'zod';
import { ok } from '../../core/result.ts';
import { type Claims, licenseId } from '../../licensing/claims.ts';
import { verifyRelease } from '../../licensing/release.ts';
import { writeOutput } from '../output.ts';
import { readBuild } from './build-file.ts';
import { checkFree, createLicenseId, handOut, signLicense } from './hand-out.ts';
import { collectIssued, findIssued, type IssuedLicense, statusOf } from './issued.ts';
import { optionSchemas } from './options.ts';
import { allOrThrow, type Checked, checkOptions, refuse } from './problems.ts';
import { readNamedFile } from './read-file.ts';
import type { Reissue } from './register-entry.ts';
import { readRegister } from './register-file.ts';
import { bindTo, readRequest } from './request.ts';
import { checkFitness, readKeyFile, unlockKey } from './signing-key.ts';
import { describeClaims, formatFields, formatTime } from './text.ts';

const MAX_RELEASE_BYTES = 16 * 1024;

const { key, passphraseFile, register, build, out, request, gpu, acceptWeak } = optionSchemas;

const reissueOptions = z
  .object({
    ...{ key, passphraseFile, register, build, out, request, gpu, acceptWeak },
    release: z.string().min(1).optional(),
    lost: licenseId.optional(),
  })
  .refine(({ release, lost }) => (release === undefined) !== (lost === undefined), {
    error: 'expected one of --release and --lost, found both or none',
    path: ['release'],
  });

/** Signs an issued licence anew for another host, in the old one's place. Throws an OperatorError. */
export async function runReissue(given: Readonly<Record<string, unknown>>): Promise<void> {
  const options = checkOptions(reissueOptions, given, 'vendor reissue');
  const licId = createLicenseId();
  const path = options.out ?? `${licId}.lic`;
  const now = new Date();
  const iat = Math.floor(now.getTime() / 1000);
  const read = allOrThrow({
    build: await readBuild(options.build),
    key: await readKeyFile(options.key),
    request: await readRequest(options.request),
    register: await readRegister(options.register),
    claim: await readClaim(options),
    free: await checkFree(path),
  });
  const { issued } = allOrThrow({ issued: collectIssued(read.register) });
  const { old } = allOrThrow({ old: findIssued(issued, read.claim.reissue.of) });
  const { tier, container, kind } = old.claims;
  const { binding } = allOrThrow({
    claim: checkClaim(old, read.claim, iat),
    fitness: checkFitness(read.key, kind, read.build),
    binding: bindTo(read.request, { ...options, tier, container }),
  });
  const signingKey = await unlockKey(read.key, { file: options.passphraseFile });
  const claims = {
    ...old.claims,
    ...binding,
    lic_id: licId,
    iat,
    replaces: [...(old.claims.replaces ?? []), old.claims.lic_id],
  } as Claims;
  const file = signLicense(claims, signingKey, read.build);
  const { reissue } = read.claim;
  await handOut({ claims, file, out: path, register: options.register, now, reissue });
  if (reissue.because === 'lost') {
    process.stderr.write(
      `note: ${reissue.of} still works on its old host, if that lives; "edge-infer vendor revoke" withdraws it\n`,
    );
  }
  await writeOutput(
    formatFields([...describeClaims(claims), ['file', path], ['register', options.register]]),
  );
}

/** Why a licence may be issued again, as far as it is known without the register. */
interface Claim {
  readonly reissue: Reissue;
  /** Who signed the release; absent where a machine is said to be lost. */
  readonly holder?: string;
}

async function readClaim({
  release,
  lost = '',
}: z.infer<typeof reissueOptions>): Promise<Checked<Claim>> {
  if (release === undefined) {
    return ok({ reissue: { of: lost, because: 'lost' } });
  }
  const bytes = await readNamedFile('--release', release, MAX_RELEASE_BYTES);
  if (!bytes.ok) {
    return bytes;
  }
  const verdict = verifyRelease(bytes.value);
  if (!verdict.ok) {
    return refuse('DATA', `--release ${release}: ${verdict.error}`);
  }
  const { licId, holder } = verdict.value;
  return ok({ reissue: { of: licId, because: 'released' }, holder });
}

/** A release counts when the licence's own host signed it, and each licence is replaced once. */
function checkClaim(old: IssuedLicense, { holder }: Claim, nowS: number): Checked<undefined> {
  const { lic_id: licId, holder: licensed, exp = 0 } = old.claims;
  const status = statusOf(old, nowS);
  const reasons = {
    live: [],
    ended: [`${licId} ended on ${formatTime(exp)}; "edge-infer vendor issue" makes a new one`],
    replaced: [`${licId} was replaced already, by ${old.replacedBy}`],
    revoked: [`${licId} was withdrawn`],
  };
  const texts = [
    ...reasons[status],
    ...(holder === undefined || holder === licensed
      ? []
      : [`the release of ${licId} was signed by another host than the one it was issued to`]),
  ];
  return texts.length === 0 ? ok(undefined) : refuse('DATA', ...texts);
}
