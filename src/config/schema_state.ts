import { duration, filePath, section } from "./fields.ts";

const YEAR_MS = 365 * 86_400_000;

export const stateSchema = section({
  dir: filePath("folder", "a folder's path").exactOptional().describe(
    "Folder for what outlives the process. Default: systemd's StateDirectory, else memory alone.",
  ),
  incidents_for: duration({ min: 60_000, max: 10 * YEAR_MS }).prefault("90d")
    .describe("How long incidents, and how channels stood, are kept."),
}).prefault({}).describe("What outlives the process: last values, history, incidents, hooks.");
