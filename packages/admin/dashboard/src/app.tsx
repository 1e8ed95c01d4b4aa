import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { keepToken, keptToken, signIn, type Session } from './api/session.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';

type State =
  | { readonly at: 'starting' }
  | { readonly at: 'signed-out'; readonly reason?: string }
  | { readonly at: 'signed-in'; readonly session: Session };

export function App(): JSX.Element {
  const [state, setState] = useState<State>({ at: 'starting' });
  const signOut = useCallback((reason?: string) => {
    keepToken(null);
    setState({ at: 'signed-out', ...(reason === undefined ? {} : { reason }) });
  }, []);
  const refused = useCallback(() => {
    keepToken(null);
    setState((now) => (now.at === 'signed-in' ? { at: 'signed-out', reason: 'This token is no longer known.' } : now));
  }, []);
  useEffect(() => {
    const token = keptToken();
    if (token === null) return setState({ at: 'signed-out' });
    void signIn(token, refused).then(
      (session) => setState({ at: 'signed-in', session }),
      () => setState({ at: 'signed-out', reason: 'The token that was kept did not work.' }),
    );
  }, [refused]);

  if (state.at === 'signed-in') return <Shell session={state.session} onSignOut={() => signOut()} />;
  if (state.at === 'starting') return <main class="sign-in" aria-busy="true" />;
  return (
    <SignIn
      reason={state.reason}
      onRefused={refused}
      onSignedIn={(session) => setState({ at: 'signed-in', session })}
    />
  );
}
