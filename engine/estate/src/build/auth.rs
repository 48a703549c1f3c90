//! How a connection signs in: complete, unambiguous, secrets only by reference.

use super::Builder;
use super::connections::secret;
use crate::at::At;
use crate::file::RawConnection;
use crate::text;
use hostler_core::directory::{Auth, SecretReference};

/// A part of `auth` that has a name and either fits or does not.
type Part = (&'static str, bool);

/// A header's name, or a field of a login's body.
fn token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn parts(auth: &Auth) -> (Vec<&SecretReference>, Vec<Part>) {
    match auth {
        Auth::None => (vec![], vec![]),
        Auth::Basic { user, password } => (
            vec![password],
            vec![("user", !user.contains(':') && text::line(user).is_ok())],
        ),
        Auth::Header { name, value } => (vec![value], vec![("name", token(name))]),
        Auth::MutualTls { certificate, key } => (vec![certificate, key], vec![]),
        Auth::Session {
            path,
            user,
            password,
            user_field,
            password_field,
            token_header,
            token_body,
            send_as,
        } => {
            let fits = |field: &Option<String>| field.as_deref().is_none_or(token);
            let pointer = token_body
                .as_deref()
                .is_none_or(|pointer| pointer.is_empty() || pointer.starts_with('/'));
            let parts = vec![
                ("path", text::url_path(path).is_ok()),
                ("user", text::line(user).is_ok()),
                ("user_field", fits(user_field)),
                (
                    "password_field",
                    fits(password_field) && user_field.is_some() == password_field.is_some(),
                ),
                (
                    "token_header",
                    fits(token_header) && token_header.is_some() != token_body.is_some(),
                ),
                ("token_body", pointer),
                (
                    "send_as",
                    fits(send_as) && (send_as.is_some() || token_header.is_some()),
                ),
            ];
            (vec![password], parts)
        }
        Auth::Credential { file } => (vec![file], vec![]),
    }
}

impl Builder<'_> {
    pub(super) fn auth(&mut self, file: usize, raw: &RawConnection) -> Auth {
        match (&raw.auth, &raw.credential) {
            (Some(at), Some(_)) => {
                let message = "`auth` and `credential` both say how to sign in";
                self.out
                    .add(file, at.position, "HE011", message, "keep one of them");
                Auth::None
            }
            (None, Some(at)) => Auth::Credential { file: secret(at) },
            (None, None) => Auth::None,
            (Some(at), None) => {
                self.check_auth(file, at);
                at.value.clone()
            }
        }
    }

    /// The values themselves are not shown: somebody may have written a secret there.
    fn check_auth(&mut self, file: usize, at: &At<Auth>) {
        let (secrets, parts) = parts(&at.value);
        for why in secrets
            .iter()
            .filter_map(|secret| text::secret(&secret.0).err())
        {
            self.out.add(
                file,
                at.position,
                "HE030",
                format!("`auth` {}", why.why),
                why.remedy,
            );
        }
        for (name, _) in parts.iter().filter(|(_, fits)| !fits) {
            let message = format!("`auth` has a bad, missing or superfluous `{name}`");
            self.out.add(
                file,
                at.position,
                "HE030",
                message,
                "compare with examples/estate.yaml",
            );
        }
    }
}
