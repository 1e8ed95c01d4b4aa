import type { BusEvent } from '../events/event.ts';
import type { Channel, Channels } from './channel.ts';

/** What the names of a channel with parameters look like: `'user:{id}'` becomes `` `user:${string}` ``. */
export type ConcreteName<Name extends string> = Name extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${ConcreteName<After>}`
  : Name;

/** The parameters of a name. */
export type ParamsOf<Name extends string> = { readonly [P in ParamNames<Name>]: string };

type ParamNames<Name extends string> = Name extends `${string}{${infer Param}}${infer After}`
  ? Param | ParamNames<After>
  : never;

export type Names<C extends Channels> = keyof C & string;

type InputOf<C> = C extends { readonly kind: 'fed' } ? never : C extends Channel<infer In> ? In : never;
type OutputOf<C> = C extends Channel<never, infer Out> ? Out : never;

/** The channel that a name means: itself, or the one with parameters that it fits. */
type NameFor<C extends Channels, Name extends string> =
  Name extends Names<C> ? Name : { [K in Names<C>]: Name extends ConcreteName<K> ? K : never }[Names<C>];

/** What may be published under a name. */
export type DataFor<C extends Channels, Name extends string> = InputOf<C[NameFor<C, Name>]>;

/** Names to publish on, parameters filled in or not. */
export type PublishName<C extends Channels> = { [K in Names<C>]: ConcreteName<K> | K }[Names<C>];

/** Options of a call that names a channel: the parameters must be given if the name leaves them open. */
export type WithParams<Name extends string, Options> = [ParamNames<Name>] extends [never]
  ? [options?: Options]
  : [options: Options & { readonly params: { readonly [P in ParamNames<Name>]: string | number } }];

type GlobShape<Pattern extends string> = Pattern extends `${infer Before}*${infer After}`
  ? `${Before}${string}${GlobShape<After>}`
  : Pattern extends `${infer Before}?${infer After}`
    ? `${Before}${string}${GlobShape<After>}`
    : Pattern;

/** Whether a pattern may match a name; it errs on the side of yes. */
type Matches<Pattern extends string, Name extends string> = Pattern extends Name
  ? true
  : ConcreteName<Name> extends GlobShape<Pattern>
    ? true
    : GlobShape<Pattern> extends ConcreteName<Name>
      ? true
      : false;

/** The channels that a name or pattern means. */
export type MatchingNames<C extends Channels, Pattern extends string> = {
  [K in Names<C>]: true extends (Pattern extends string ? Matches<Pattern, K> : never) ? K : never;
}[Names<C>];

/** The names and patterns that mean a channel, among those wanted; the others are errors of the caller. */
export type Meaning<C extends Channels, Pattern extends string, Wanted = Names<C>> = Pattern extends string
  ? [MatchingNames<C, Pattern> & Wanted] extends [never]
    ? never
    : Pattern
  : never;

/** The event of each of these channels. */
export type EventOf<C extends Channels, Name extends Names<C>> = Name extends string
  ? BusEvent<Name, OutputOf<C[Name]>>
  : never;

export type DurableNames<C extends Channels> = {
  [K in Names<C>]: C[K] extends { readonly kind: 'durable' } ? K : never;
}[Names<C>];
