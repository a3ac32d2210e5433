/** What is shown of a value, before it becomes elements. Every part of it is bounded. */
export type View =
  | { readonly kind: "text"; readonly text: string; readonly isMuted?: true }
  /** A share between 0 and 1. */
  | { readonly kind: "bar"; readonly ratio: number; readonly text: string; readonly label: string }
  /** Labels and their values. */
  | { readonly kind: "fields"; readonly fields: readonly Field[] }
  /** Shares with a name each, large. */
  | { readonly kind: "meters"; readonly meters: readonly Meter[] }
  /** Few numbers that matter most. */
  | { readonly kind: "tiles"; readonly tiles: readonly Tile[] }
  | TableView
  /** Parts below each other, each with a heading where it has a title. */
  | { readonly kind: "stack"; readonly parts: readonly Part[] };

export interface Field {
  readonly label: string;
  readonly view: View;
}

export interface Meter {
  readonly label: string;
  readonly ratio: number;
  readonly text: string;
  readonly note?: string;
}

export interface Tile {
  readonly label: string;
  readonly text: string;
}

export interface TableView {
  readonly kind: "table";
  /** Names the table for those who cannot see it. */
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly View[])[];
  /** Rows there are besides the ones shown. */
  readonly cutRows: number;
}

export interface Column {
  readonly label: string;
  readonly isNumber: boolean;
}

export interface Part {
  readonly title?: string;
  readonly view: View;
  /** Shown only on demand. */
  readonly isFolded?: true;
}

export function text(value: string): View {
  return { kind: "text", text: value };
}
