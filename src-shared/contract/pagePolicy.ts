/**
 * What the workbench's page may do, as headers: the same in a browser and in the desktop window. Nothing remote, no inline scripts, no eval; styles may be
 * inline because Vue sets them on elements; a live camera picture needs no source here.
 */

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The image lab may ask for the camera; the rest of what a machine has is nobody's business. */
const permissionsPolicy = ['camera=(self)', ...['microphone', 'geolocation', 'usb', 'serial', 'hid', 'midi', 'payment', 'display-capture'].map((name) => `${name}=()`)].join(', ');

export const pageHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'permissions-policy': permissionsPolicy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;
