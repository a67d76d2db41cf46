import { OperatorError } from '../../core/errors.ts';
import type { FoundLicense } from '../../licensing/judge-license.ts';

/** The licence with this id or file name, if there is one. */
export function findLicense(
  licenses: readonly FoundLicense[],
  name: string,
): FoundLicense | undefined {
  return licenses.find(
    ({ file, license }) => file === name || (license.ok && license.value.claims.lic_id === name),
  );
}

/** The same; throws an OperatorError that lists those that are there. */
export function findInstalled(
  licenses: readonly FoundLicense[],
  name: string,
  folder: string,
): FoundLicense {
  const found = findLicense(licenses, name);
  if (found === undefined) {
    const there = licenses.map(({ file }) => file).join(', ') || 'none';
    throw new OperatorError(
      'NO_INPUT',
      `expected a licence in ${folder} by its id or its file's name, found no ${name}; there: ${there}`,
    );
  }
  return found;
}
