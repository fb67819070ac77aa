// The driver in a module of its own, to be imported on demand: a bundler sees no names in a dynamic import of a CommonJS package.
export { BSON, MongoClient } from 'mongodb'
