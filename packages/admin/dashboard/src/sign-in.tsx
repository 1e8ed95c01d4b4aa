import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ApiError, messageOf } from './api/api.ts';
import { textField } from './text-field.ts';
import { keepToken, signIn, type Session } from './api/session.ts';

export interface SignInProps {
  /** Why one has to sign in again, if there is a reason. */
  readonly reason: string | undefined;
  readonly onRefused: () => void;
  readonly onSignedIn: (session: Session) => void;
}

/** Asks for a token. It is kept by this page only, or until the tab is closed. */
export function SignIn({ reason, onRefused, onSignedIn }: SignInProps): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [error, setError] = useState(reason);
  const [busy, setBusy] = useState(false);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const token = textField(form, 'token');
    setBusy(true);
    try {
      const session = await signIn(token, onRefused);
      keepToken(textField(form, 'keep') === '' ? null : token);
      onSignedIn(session);
    } catch (failure) {
      const unknown = failure instanceof ApiError && failure.status === 401;
      setError(unknown ? 'This token is not known.' : messageOf(failure));
      setBusy(false);
      field.current?.focus();
    }
  };
  return (
    <main class="sign-in">
      <h1>tierkit</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <label>
          Token
          <input
            ref={field}
            name="token"
            type="password"
            required
            autofocus
            autocomplete="off"
            spellcheck={false}
            aria-describedby="sign-in-error"
          />
        </label>
        <label class="check">
          <input name="keep" type="checkbox" /> Keep it until this tab is closed
        </label>
        <p id="sign-in-error" role="alert" class="error">
          {error}
        </p>
        <button type="submit" class="main" disabled={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
