//! The guide's rule, `explicit`: a deploy that declares itself, and what is left of it afterwards.

use super::*;
