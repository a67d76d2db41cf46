import { stringify } from 'csv-stringify/sync';
import type { FileResult } from './file-result.ts';

/** How results are written; each text ends its last line. */
export interface ResultFormat {
  header(): string;
  format(result: FileResult): string;
}

/** JSON lines: an object a file. */
export const jsonLines: ResultFormat = {
  header: () => '',
  format: (result) => `${JSON.stringify(result)}\n`,
};

/** CSV: a row a file and class; a failed file is one row with the columns of the error. */
export const csvLines: ResultFormat = {
  header: () => stringify([['file', 'place', 'class', 'score', 'error_code', 'error_detail']]),
  format(result) {
    const { file } = result;
    return stringify(
      'error' in result
        ? [[file, '', '', '', result.error.code, result.error.detail]]
        : result.results.map(({ name, score }, place) => [file, place + 1, name, score, '', '']),
    );
  },
};
