import { stringify } from 'yaml'
import { freezeAgent, freezeAgentPod } from '../../packages/plugin-benji/src/freeze/agent-pod.ts'

/** The agent's pod, as the plugin has it: `files/freeze-agent.yaml`. What values say is filled in by the template. */
export function freezeAgentFile(): string {
  const head = "# Generated from plugin-benji's own by `npm run docs`.\n"
  return head + stringify({ labels: freezeAgent.labels, spec: freezeAgentPod({ image: '' }) }, { lineWidth: 0 })
}
