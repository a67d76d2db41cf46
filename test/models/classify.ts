/** An answer of either kind. */
export interface Answer {
  readonly log_id?: number;
  readonly results?: readonly { readonly name: string; readonly score: number }[];
  readonly error_code?: number;
  readonly error_detail?: string;
}

/** Sends an image to a service and reads the answer, whatever it is. */
export async function classify(
  url: string,
  deployName: string,
  image: Uint8Array,
  topNum?: number,
): Promise<Answer> {
  const response = await post(url, deployName, image, topNum);
  return (await response.json()) as Answer;
}

export function post(
  url: string,
  deployName: string,
  image: Uint8Array,
  topNum?: number,
): Promise<Response> {
  return fetch(`${url}/${encodeURIComponent(deployName)}/ImageClassification`, {
    method: 'POST',
    body: JSON.stringify({ image: Buffer.from(image).toString('base64'), top_num: topNum }),
  });
}
