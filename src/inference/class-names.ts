import type { ModelPackage } from '../catalog/model-package.ts';
import { err, ok, type Result } from '../core/result.ts';

/** Class names for a graph with so many classes; or what does not fit, a sentence each. */
export function findClassNames(
  model: ModelPackage,
  classCount: number,
  language: string | undefined,
): Result<readonly string[], string[]> {
  const problems = findLabelProblems(model, classCount);
  const chosen = chooseLabels(model, language);
  return problems.length > 0 ? err(problems) : chosen.ok ? chosen : err([chosen.error]);
}

/** What does not fit between a model's label files and the number of classes its graph has. */
function findLabelProblems(model: ModelPackage, classCount: number): string[] {
  return [...model.labels].flatMap(([language, names]) =>
    names.length === classCount
      ? []
      : [
          `${model.manifest.labels[language]}: expected a name for each of the graph's ${classCount} classes, found ${names.length}`,
        ],
  );
}

/** Class names in class order, in the language asked for or the model's first. */
function chooseLabels(
  { labels, manifest }: ModelPackage,
  language: string | undefined,
): Result<readonly string[], string> {
  const [first = ''] = labels.keys();
  const names = labels.get(language ?? first);
  const known = [...labels.keys()].join(', ');
  return names === undefined
    ? err(
        `language: expected one that ${manifest.name} has labels in (${known}), found ${language}`,
      )
    : ok(names);
}
