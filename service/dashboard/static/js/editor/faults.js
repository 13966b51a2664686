// What the service's check says, in the reader's language where it is one of the usual faults.
import { language, t } from "../words.js";

const KNOWN = [
  [/two ends are the same point/, "fault_same_point"],
  [/^two \w+ are called/, "fault_same_id"],
  [/crosses itself or has no area/, "fault_crosses"],
  [/points are too few/, "fault_few_points"],
  [/have the same pair of gates/, "fault_same_pair"],
  [/there is no gate/, "fault_no_gate"],
  [/there is no approach/, "fault_no_approach"],
  [/match pattern|at least 1 character|at most 64 characters/, "fault_id"],
  [/at least 1 item/, "fault_no_gates"],
  [/greater than 0|valid number/, "fault_number"],
  [/contradict each other/, "fault_contradict"],
  [/lie on a line|along a line|determine no mapping/, "fault_on_a_line"],
  [/not in the same order/, "fault_order"],
  [/mirrored/, "fault_mirrored"],
];

export function inWords(problem) {
  if (!problem || language === "en") return problem;
  const known = KNOWN.find(([pattern]) => pattern.test(problem));
  return known ? t(`setup_camera.${known[1]}`) : problem;
}
