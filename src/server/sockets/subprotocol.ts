/** The WebSocket subprotocol clients may name; tokens travel beside it. */
export const SUBPROTOCOL = "holdfast";
