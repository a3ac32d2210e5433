/** Types of `@std/http/status` as far as we use it; `tests/std_types_test.ts` calls it. */
export declare const STATUS_CODE: {
  readonly SwitchingProtocols: 101;
  readonly OK: 200;
  readonly Accepted: 202;
  readonly NoContent: 204;
  readonly NotModified: 304;
  readonly BadRequest: 400;
  readonly Unauthorized: 401;
  readonly Forbidden: 403;
  readonly NotFound: 404;
  readonly MethodNotAllowed: 405;
  readonly NotAcceptable: 406;
  readonly ProxyAuthRequired: 407;
  readonly Conflict: 409;
  readonly ContentTooLarge: 413;
  readonly UnsupportedMediaType: 415;
  readonly UnprocessableEntity: 422;
  readonly UpgradeRequired: 426;
  readonly TooManyRequests: 429;
  readonly InternalServerError: 500;
  readonly BadGateway: 502;
  readonly ServiceUnavailable: 503;
};
export declare const STATUS_TEXT: { readonly [code: number]: string };
