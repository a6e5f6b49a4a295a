//! Causes as data: something seen, a balancer, and the diagnosis they come to.
