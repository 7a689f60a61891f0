//! Batches of payments and bank files.

mod files;
mod office;
mod peers;
mod properties;
mod stages;
mod whole_way;
