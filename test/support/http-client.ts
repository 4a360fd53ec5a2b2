/** Requests of tests, always with a deadline. */

/** An answer, read to its end. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

/** Any status is an answer. */
export async function get(url: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(60_000) });
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    text: await response.text(),
  };
}
