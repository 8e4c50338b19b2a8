//! migwatch watches compose stacks whose database migrations must not run by accident.
