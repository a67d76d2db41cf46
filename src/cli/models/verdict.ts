import { styleText } from 'node:util';
import type { Variant } from '../../catalog/variants.ts';
import { printable } from '../text-table.ts';

/** What was found of one variant of a model. */
export interface VariantVerdict extends Pick<Variant, 'name' | 'agreement'> {
  /** Absent when it was not run. */
  readonly ok?: boolean;
  /** What this host lacks to run it. Its files were checked all the same. */
  readonly notRun?: string;
  readonly sha256?: string;
  readonly device?: string;
  /** How its images were prepared. */
  readonly imaging?: string;
  /** How many golden examples the manifest has for it. */
  readonly examples: number;
}

/** One model's verdict, as `--json` prints it. */
export interface Verdict {
  readonly model: string;
  readonly ok: boolean;
  readonly folder: string;
  readonly name?: string;
  readonly version?: string;
  readonly classes?: number;
  readonly variants: readonly VariantVerdict[];
  readonly problems: readonly string[];
}

/** A line for a model in order, one more for each variant where it has several; else its problems. */
export function formatVerdict({ model, ok, problems, variants, ...facts }: Verdict): string {
  const name = printable(model);
  if (!ok) {
    const word = styleText('red', 'FAILED', { stream: process.stdout });
    return `${word}  ${name}\n${problems.map((problem) => `  ${problem}\n`).join('')}`;
  }
  const title = `OK      ${name} ${facts.version}: ${facts.classes} classes`;
  const [only, ...others] = variants;
  if (only !== undefined && others.length === 0) {
    return `${title}, ${formatProof(only)}\n`;
  }
  const lines = variants.map((variant) => {
    const agreement = formatAgreement(variant, variants[0]);
    return `        ${variant.name}: ${formatProof(variant)}${agreement}\n`;
  });
  return `${title}\n${lines.join('')}`;
}

function formatProof({ notRun, device, imaging, examples }: VariantVerdict): string {
  if (notRun !== undefined) {
    return `not run: ${notRun}`;
  }
  const means = `${device}, ${imaging} imaging`;
  return examples === 0
    ? `${means}, no golden examples, so its answers are unproven`
    : `${means}, ${examples} golden examples right`;
}

function formatAgreement(
  { agreement }: VariantVerdict,
  reference: VariantVerdict | undefined,
): string {
  return agreement === undefined
    ? ''
    : `; first class as ${reference?.name} on ${formatPercent(agreement.sameClass)} of ${agreement.images} images`;
}

function formatPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
