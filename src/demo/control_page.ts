import type { AgentStatus } from "./agent.ts";
import { FAULT_MEANING, FAULT_MODES, type FaultStatus } from "./faults.ts";
import { Html, html } from "./html.ts";
import type { CompressionStatus, JobStatus } from "./job_book.ts";

/** What the page shows. */
export interface ControlPageData {
  /** Absent where faults cannot be switched on. */
  readonly faults?: readonly FaultStatus[];
  /** Methods that may be given a fault of their own. */
  readonly faultable: readonly string[];
  readonly agents: readonly AgentStatus[];
  readonly jobs: CompressionStatus;
  readonly spool: string;
  /** What came of the button that was pressed. */
  readonly message?: string;
}

/** Most jobs shown; the method tells of all. */
const MAX_SHOWN = 20;

/** Durations offered for a fault. */
const DURATIONS = ["5s", "10s", "30s", "1m", "5m"];

/** The backend's own page: what it is doing, and buttons to make it misbehave. No script at all. */
export function controlPage(data: ControlPageData): Response {
  const { agents, jobs, spool, message } = data;
  const nonce = crypto.randomUUID();
  const page = html`
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Holdfast demo backend</title>
    <style nonce="${nonce}">${new Html(STYLE)}</style>
    <h1>Holdfast demo backend</h1>
    <p>JSON-RPC 2.0 at <code>/rpc</code>. It compresses what is put into <code>${spool}</code>.
    <a href="/">Look again</a></p>
    ${message === undefined ? undefined : html`<p role="status"><strong>${message}</strong></p>`}
    <h2>Faults</h2>
    ${faultForm(data)}
    <h2>Agents</h2>
    <table>
    <tr><th>Agent<th>State<th>Job<th>Done<th>Failed<th>Bytes/s
    ${agents.map(agentRow)}
    </table>
    <h2>Jobs</h2>
    <p>${jobs.queued} queued, ${jobs.compressing} in hand, ${jobs.done} done, ${jobs
      .failed} failed</p>
    <table>
    <tr><th>Job<th>File<th>State<th>GzipProgress<th>Ratio<th>Reason
    ${jobs.jobs.slice(0, MAX_SHOWN).map(jobRow)}
    </table>
    </html>
  `;
  return new Response(page.text, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
    },
  });
}

function faultForm({ faults, faultable }: ControlPageData): Html {
  if (faults === undefined) {
    return html`<p>Switched off. Start the backend with <code>--faults</code> to have buttons here.</p>`;
  }
  const now = faults.map(({ mode, method, until }) =>
    html`<li><strong>${mode}</strong> for ${method ?? "every method"}${
      until === undefined ? "" : `, until ${new Date(until * 1000).toISOString()}`
    }`
  );
  return html`
    ${now.length === 0 ? html`<p>None is on.</p>` : html`<ul>${now}</ul>`}
    <form method="post" action="/fault">
      <p><label>Method <select name="method"><option value="">every method${faultable.map((each) =>
        html`<option>${each}`
      )}</select></label>
    <label>For <select name="for"><option value="">until switched off${DURATIONS.map((each) =>
      html`<option>${each}`
    )}</select></label></p>
    <p><button name="mode" value="none">no fault</button>
    ${FAULT_MODES.map((mode) =>
      html`
        <button name="mode" value="${mode}">${mode}</button>
      `
    )}</p>
    </form>
    <dl>${FAULT_MODES.map((mode) => html`<dt>${mode}<dd>${FAULT_MEANING[mode]}`)}</dl>
  `;
}

function agentRow({ id, state, current_job, ...rest }: AgentStatus): Html {
  const { jobs_done, jobs_failed, bytes_per_second } = rest;
  return html`
    <tr>
      <td>${id}<td>${state}<td>${current_job?.file ??
        ""}<td>${jobs_done}<td>${jobs_failed}<td>${bytes_per_second}
  `;
}

function jobRow({ id, file, state, progress_ratio, ratio, reason }: JobStatus): Html {
  const percent = Math.floor(progress_ratio * 100);
  return html`
    <tr>
      <td>${id}<td>${file}<td>${state}<td><progress max="100" value="${percent}">${percent}%</progress> ${percent}%<td>${ratio ??
        ""}<td>${reason ?? ""}
  `;
}

const STYLE = `
body { font: 1rem/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8888; padding: 0.2rem 0.5rem; text-align: left; }
td { overflow-wrap: anywhere; }
dt { font-weight: bold; float: left; margin-right: 0.5rem; }
button { font: inherit; padding: 0.3rem 0.8rem; }
:root { color-scheme: light dark; }
`;
