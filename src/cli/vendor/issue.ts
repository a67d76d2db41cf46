import { z } from 'zod';
import { deployNameExpected, isDeployName } from '../../core/deploy-name.ts';
import { type Claims, printableText } from '../../licensing/claims.ts';
import { licenseKinds } from '../../licensing/keys.ts';
import { writeOutput } from '../output.ts';
import { readBuild } from './build-file.ts';
import { checkFree, createLicenseId, handOut, signLicense } from './hand-out.ts';
import { collectIssued, statusOf } from './issued.ts';
import { optionSchemas } from './options.ts';
import { allOrThrow, checkOptions } from './problems.ts';
import { readRegister } from './register-file.ts';
import { bindTo, readRequest } from './request.ts';
import { checkFitness, readKeyFile, unlockKey } from './signing-key.ts';
import { describeClaims, formatFields } from './text.ts';

const DEFAULT_DAYS = 30;
const MAX_DAYS = 3660;
const DAY_S = 86_400;

const { key, passphraseFile, register, build, out, request, gpu, acceptWeak } = optionSchemas;

const issueOptions = z
  .object({
    ...{ key, passphraseFile, register, build, out, request, gpu, acceptWeak },
    kind: z.enum(licenseKinds),
    tier: z.enum(['cpu', 'gpu']),
    deployName: z.string().refine(isDeployName, `expected ${deployNameExpected}`),
    customer: printableText,
    days: z
      .string()
      .regex(/^\d{1,4}$/, 'expected a number of days')
      .transform(Number)
      .pipe(z.int().min(1).max(MAX_DAYS))
      .optional(),
    updatesUntil: z.iso.date('expected a date such as 2027-12-31').optional(),
    container: z.enum(['allow', 'deny']).default('deny'),
    models: z.array(printableText).optional(),
  })
  .superRefine(({ kind, days, tier, gpu: index }, context) => {
    const report = (name: string, message: string) =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (kind === 'permanent' && days !== undefined) {
      report('days', 'expected for trials alone, found it with --kind permanent');
    }
    if (tier === 'cpu' && index !== undefined) {
      report('gpu', 'expected for graphics cards alone, found it with --tier cpu');
    }
  });

/** Signs a licence for the host or card of a request. Throws an OperatorError. */
export async function runIssue(given: Readonly<Record<string, unknown>>): Promise<void> {
  const options = checkOptions(issueOptions, given, 'vendor issue');
  const licId = createLicenseId();
  const path = options.out ?? `${licId}.lic`;
  const read = allOrThrow({
    build: await readBuild(options.build),
    key: await readKeyFile(options.key),
    request: await readRequest(options.request),
    register: await readRegister(options.register, { mayBeMissing: true }),
    free: await checkFree(path),
  });
  const { binding, issued } = allOrThrow({
    fitness: checkFitness(read.key, options.kind, read.build),
    binding: bindTo(read.request, options),
    issued: collectIssued(read.register),
  });
  const signingKey = await unlockKey(read.key, { file: options.passphraseFile });
  const now = new Date();
  const iat = Math.floor(now.getTime() / 1000);
  const { updatesUntil, models } = options;
  const claims = {
    lic_id: licId,
    customer: options.customer,
    product: read.build.product,
    deploy_name: options.deployName,
    kind: options.kind,
    iat,
    ...(options.kind === 'trial' ? { exp: iat + (options.days ?? DEFAULT_DAYS) * DAY_S } : {}),
    ...(updatesUntil === undefined ? {} : { updates_until: updatesUntil }),
    ...(models === undefined ? {} : { models }),
    ...binding,
  } as Claims;
  const file = signLicense(claims, signingKey, read.build);
  await handOut({ claims, file, out: path, register: options.register, now });
  for (const { claims: other, ...rest } of issued.values()) {
    if (other.holder === claims.holder && statusOf({ claims: other, ...rest }, iat) === 'live') {
      process.stderr.write(`note: this host holds ${other.lic_id} as well (${other.kind})\n`);
    }
  }
  await writeOutput(
    formatFields([...describeClaims(claims), ['file', path], ['register', options.register]]),
  );
}
