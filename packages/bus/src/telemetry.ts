import type { MetricDefinition, MetricSource, SpanDefinition, Telemetry } from '@tierkit/core';
import type { BusStats } from './counters.ts';
import type { BusEvent } from './events/event.ts';

function metric(kind: 'counter' | 'gauge', name: string, unit: string, description: string): MetricDefinition {
  return { name: `tierkit.bus.${name}`, kind, unit, description, attributes: [] };
}

const METRICS: Readonly<Record<keyof BusStats, MetricDefinition>> = {
  published: metric('counter', 'published', '{event}', 'Events that were published'),
  dropped: metric('counter', 'dropped', '{event}', 'Ephemeral events that could not be sent'),
  invalid: metric('counter', 'invalid', '{event}', 'Messages that could not be read or did not pass their schema'),
  missed: metric('counter', 'missed', '{event}', 'Events that subscribers are known to have missed'),
  failures: metric('counter', 'handler_failures', '{event}', 'What handlers threw'),
  subscriptions: metric('gauge', 'subscriptions', '{subscription}', 'Subscriptions of this process'),
  consumers: metric('gauge', 'consumers', '{consumer}', 'Members of groups in this process'),
};

/** The figures of `stats()`, as metrics. */
export function busSource(stats: () => BusStats): MetricSource {
  return {
    metrics: Object.values(METRICS),
    read(observe) {
      const figures = stats();
      for (const [name, metric] of Object.entries(METRICS)) observe(metric, figures[name as keyof BusStats], {});
    },
  };
}

/** A handler that runs within the trace that each event was published in, as a span of it. */
export function tracedHandler<Rest extends readonly unknown[]>(
  telemetry: Telemetry | undefined,
  handler: (event: BusEvent, ...rest: Rest) => unknown,
): (event: BusEvent, ...rest: Rest) => unknown {
  if (telemetry?.withTrace === undefined) return handler;
  const { spans } = telemetry;
  const definitions = new Map<string, SpanDefinition>();
  const definitionOf = (channel: string): SpanDefinition => {
    let definition = definitions.get(channel);
    if (definition === undefined) {
      definition = { name: 'tierkit.bus.process', attributes: { channel } };
      definitions.set(channel, definition);
    }
    return definition;
  };
  return (event, ...rest) => {
    const { traceparent } = event;
    if (traceparent === undefined) return handler(event, ...rest);
    return telemetry.withTrace?.({ traceparent }, () =>
      spans?.active() === true
        ? spans.run(definitionOf(event.type), async () => handler(event, ...rest))
        : handler(event, ...rest),
    );
  };
}
