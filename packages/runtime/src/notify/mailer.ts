// The one module that knows nodemailer, and so what is used of it.
export { createTransport } from 'nodemailer'
