//! CONFIG REWRITE's work: reading the file, and putting the new one in its place.

use super::ctx::Ctx;
use super::error::Error;
use super::host::reason;
use std::io;

/// Brings the configuration file up to date with the running values; comments and order stay.
pub fn rewrite_config(ctx: &mut Ctx<'_>) -> Result<(), Error> {
    let path = ctx.server.identity.config_file.clone();
    if path.is_empty() {
        return Err(Error::Text(
            "ERR The server is running without a config file",
        ));
    }
    let failed = |error: io::Error| {
        tracing::warn!("CONFIG REWRITE failed: {error}");
        Error::err(format_args!("Rewriting config file: {}", reason(&error)))
    };
    let old_text = match ctx.host.read_file(&path) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let config = &ctx.server.config;
    let text = if ctx.server.debug.rewrite_all {
        config.rewrite_all(&old_text, None)
    } else {
        config.rewrite(&old_text, None)
    };
    ctx.host
        .replace_file(&path, text.as_bytes())
        .map_err(failed)?;
    tracing::info!("CONFIG REWRITE executed with success.");
    Ok(())
}
