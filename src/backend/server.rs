//! The web servers that a configuration can be written for, one template each.

use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};

use super::site::site;
use super::{BackendError, Request};

/// A web server. One more is a template file and a line in [`Server::template`], [`Server::name`] and [`Server::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// nginx 1.17.6 or later, as a file for its `conf.d`.
    Nginx,
    /// HAProxy 2.2 or later, as a whole `haproxy.cfg`.
    Haproxy,
}

/// A configuration, and what a person should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The file's content; the warnings are in it as comments.
    pub text: String,
    /// What will not work with this balancer, one sentence each.
    pub warnings: Vec<String>,
}

impl Server {
    /// All web servers.
    pub const ALL: [Server; 2] = [Server::Nginx, Server::Haproxy];

    /// The name that people type.
    pub fn name(self) -> &'static str {
        match self {
            Server::Nginx => "nginx",
            Server::Haproxy => "haproxy",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Server::Nginx => include_str!("templates/nginx.conf"),
            Server::Haproxy => include_str!("templates/haproxy.cfg"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Writes the configuration of a web server. The same request always gives the same text.
pub fn generate(server: Server, request: &Request<'_>) -> Result<Configuration, BackendError> {
    let site = site(request)?;
    let mut environment = Environment::new();
    let broken = |error: minijinja::Error| BackendError::Template(error.to_string());
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(broken)?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let text = environment.render_str(server.template(), Serde(&site)).map_err(broken)?;
    Ok(Configuration { text, warnings: site.warnings })
}
