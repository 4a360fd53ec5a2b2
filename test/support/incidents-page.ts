/** The page of the documents with the messages of ten incidents, made from the messages themselves. */

export const PAGE = 'docs/incidents.md';

/** An alert in a message of Alertmanager. */
export interface SentMessage {
  readonly cluster: string;
  readonly alertname: string;
  readonly severity: string;
  /** The others. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const HEAD = `# Ten incidents, and their messages

What on-call reads of each, from the simulated cluster through the exporter, a real Prometheus with the shipped
[rules](../deploy/prometheus/README.md) and a real Alertmanager with the shipped
[configuration](../deploy/alertmanager/alertmanager.yaml). Each is one message and there are no others.
\`test/e2e/incidents.test.ts\` says what of it is simulated, and fails where an incident has another message than here; numbers, and
what is furthest off, differ a bit from run to run.

| incident | what is done to the cluster |
| --- | --- |
| runaway | a container takes 1.5 cores more and three times its usual CPU |
| leak | a container grows by its usual size in two hours |
| OOM cycle | a container is at its limit every eight minutes, is killed and begins again |
| crash loop | a container ends ten seconds after each start |
| hang | a container does nothing any more |
| bad release | all new pods of a Deployment take 1.8 times the memory |
| bad node | all containers of a node hang |
| lost traffic | all pods of a workload have no requests any more |
| nightly job, the first time | a job that takes 1.4 cores and 200 MiB and never came before |
| mass outage | nearly all pods have no requests any more |

A job that has run at this time on the days before makes no message: it is usual.
`;

/** @param messages in the order of the page; a message is `undefined` where none came. */
export function incidentsPage(
  messages: readonly { readonly incident: string; readonly message: SentMessage | undefined }[],
): string {
  const sections = messages.map(({ incident, message }) => {
    const heading = `\n## ${incident.charAt(0).toUpperCase()}${incident.slice(1)}\n\n`;
    if (message === undefined) return `${heading}No message.\n`;
    const { alertname, severity, annotations } = message;
    const lines = [`${alertname} (${severity})`, annotations.summary, annotations.description, annotations.page_url];
    return `${heading}\`\`\`text\n${lines.join('\n')}\n\`\`\`\n`;
  });
  return HEAD + sections.join('');
}

/** The lines of the message in a section of the page, from its name and severity on; empty where there is none. */
export function messageIn(page: string, incident: string): readonly string[] {
  const section =
    page.split(/^## /m).find((text) => text.toLowerCase().startsWith(`${incident.toLowerCase()}\n`)) ?? '';
  return /```text\n([\s\S]*?)\n```/.exec(section)?.[1]?.split('\n') ?? [];
}
