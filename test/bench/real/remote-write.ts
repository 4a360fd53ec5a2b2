/** Samples for Prometheus and VictoriaMetrics by remote write 1.0: a protobuf message, in the block format of Snappy. */

import { request } from 'node:http';
import type { Labels } from '../../../src/exporter/prometheus/api.js';

/** Samples of one series, oldest first. */
export interface SeriesSamples {
  /** From `encodeLabels`: of a series that is written several times, once. */
  readonly labels: Buffer;
  readonly values: ArrayLike<number>;
  /** Unix times in milliseconds, as many as values. */
  readonly timesMilliseconds: ArrayLike<number>;
}

/** Tags of a protobuf field: its number, and that its content has a length, is a double, or is a varint. */
const bytesField = (field: number) => (field << 3) | 2;
const doubleField = (field: number) => (field << 3) | 1;
const varintField = (field: number) => field << 3;

/** The labels of a series in a message, sorted by name as receivers want them. */
export function encodeLabels(labels: Labels): Buffer {
  return Buffer.concat(
    Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map((pair) => {
        const [name, value] = pair.map((text) => Buffer.from(text)) as [Buffer, Buffer];
        return lengthDelimited(1, Buffer.concat([lengthDelimited(1, name), lengthDelimited(2, value)]));
      }),
  );
}

/** `WriteRequest` as it is sent. */
export function encodeWriteRequest(series: readonly SeriesSamples[]): Buffer {
  return snappyOf(series.map((each) => lengthDelimited(1, Buffer.concat([each.labels, encodeSamples(each)]))));
}

/** Sends samples to the path of a server that takes them. @throws {Error} when it does not. */
export async function remoteWrite(url: string, series: readonly SeriesSamples[]): Promise<void> {
  const body = encodeWriteRequest(series);
  await new Promise<void>((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/x-protobuf',
      'Content-Encoding': 'snappy',
      'Content-Length': body.length,
      'X-Prometheus-Remote-Write-Version': '0.1.0',
    };
    const sent = request(url, { method: 'POST', headers }, (response) => {
      let said = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      response.on('error', reject).on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`Expected ${url} to take the samples, got status ${statusCode}: ${said.slice(0, 500)}`));
      });
    });
    sent.on('error', reject).end(body);
  });
}

function encodeSamples({ values, timesMilliseconds }: SeriesSamples): Buffer {
  // Tag and length; a double with its tag; a time of at most six bytes with its tag.
  const buffer = Buffer.allocUnsafe(values.length * 18);
  let end = 0;
  for (let index = 0; index < values.length; index++) {
    buffer[end] = bytesField(2);
    const start = end + 2;
    buffer[start] = doubleField(1);
    end = buffer.writeDoubleLE(values[index] as number, start + 1);
    buffer[end++] = varintField(2);
    end = writeVarint(buffer, end, timesMilliseconds[index] as number);
    buffer[start - 1] = end - start;
  }
  return buffer.subarray(0, end);
}

function lengthDelimited(field: number, content: Buffer): Buffer {
  const head = Buffer.allocUnsafe(6);
  head[0] = bytesField(field);
  return Buffer.concat([head.subarray(0, writeVarint(head, 1, content.length)), content]);
}

function writeVarint(buffer: Buffer, start: number, value: number): number {
  let rest = value;
  let end = start;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[end++] = (rest % 0x80) | 0x80;
  buffer[end++] = rest;
  return end;
}

/** A literal with a length of four bytes: valid, and nothing is compressed. */
const LONG_LITERAL = 63 << 2;

function snappyOf(parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.allocUnsafe(10);
  let end = writeVarint(head, 0, length);
  head[end++] = LONG_LITERAL;
  end = head.writeUInt32LE(length - 1, end);
  return Buffer.concat([head.subarray(0, end), ...parts]);
}
