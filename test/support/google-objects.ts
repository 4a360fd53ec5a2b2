/**
 * The parts of Google's custom resources that we use, as in the resource definitions of its operator (release 0.15). No package has
 * them. Unknown fields are errors.
 */

import { z } from 'zod';

const metadata = z.strictObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

export const clusterPodMonitoring = z.strictObject({
  apiVersion: z.literal('monitoring.googleapis.com/v1'),
  kind: z.literal('ClusterPodMonitoring'),
  metadata,
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    endpoints: z
      .array(
        z.strictObject({
          port: z.union([z.string(), z.int()]),
          path: z.string().optional(),
          interval: z.string(),
          timeout: z.string().optional(),
          scheme: z.string().optional(),
          tls: z
            .strictObject({
              ca: z.strictObject({ secret: z.strictObject({ name: z.string(), key: z.string() }) }),
              serverName: z.string(),
            })
            .optional(),
        }),
      )
      .min(1)
      .max(10),
    targetLabels: z.strictObject({
      metadata: z.array(z.enum(['namespace', 'pod', 'container', 'node'])),
    }),
  }),
});

const common = { expr: z.string(), labels: z.record(z.string(), z.string()).optional() };

export const clusterRules = z.strictObject({
  apiVersion: z.literal('monitoring.googleapis.com/v1'),
  kind: z.literal('ClusterRules'),
  metadata,
  spec: z.strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        interval: z.string().optional(),
        rules: z.array(
          z.union([
            z.strictObject({ record: z.string(), ...common }),
            z.strictObject({
              alert: z.string(),
              for: z.string().optional(),
              annotations: z.record(z.string(), z.string()).optional(),
              ...common,
            }),
          ]),
        ),
      }),
    ),
  }),
});
