import type { IContainer, IPod } from "kubernetes-models/v1";
import type { AppProgram, GroupPlan, MemberName } from "./driver.ts";
import { THIRD_PARTY } from "./images.ts";
import type { Layout } from "./layout.ts";

/** A group as a pod: a container for each member, and the group's directory at the same path in all of them. */
export function podOf(name: string, plan: GroupPlan, { places, user, flags, published }: Layout): IPod {
  const containers = [...flags].map(([member, args]): IContainer => ({
    name: member,
    ...imageOf(plan, member),
    args: [...args],
    imagePullPolicy: "IfNotPresent",
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "group", mountPath: places.directory },
      { name: `${name}-tmp`, mountPath: "/tmp" },
    ],
  }));
  const [first] = containers;
  if (first) first.ports = [...published.values()].map(publishedPort);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      // the test starts members again, when it is time for that
      restartPolicy: "Never",
      shareProcessNamespace: plan.sharedProcesses ?? true,
      securityContext: { runAsNonRoot: true, runAsUser: user, runAsGroup: user },
      containers,
      volumes: [
        { name: "group", hostPath: { path: places.directory } },
        { name: `${name}-tmp`, emptyDir: {} },
      ],
    },
  };
}

function publishedPort(port: number) {
  return { containerPort: port, hostPort: port, hostIP: "127.0.0.1" };
}

/** The image of a member of the group, and the program in it where that isn't the image's own. */
function imageOf(plan: GroupPlan, member: MemberName): Pick<IContainer, "image" | "command"> {
  if (member !== "app") return { image: `pillion/${member}` };
  return appImages[plan.app?.program ?? "legacy-app"];
}

const appImages: Record<AppProgram, Pick<IContainer, "image" | "command">> = {
  "legacy-app": { image: "pillion/legacy-app" },
  nginx: { image: THIRD_PARTY, command: ["/usr/sbin/nginx"] },
  lighttpd: { image: THIRD_PARTY, command: ["/usr/sbin/lighttpd"] },
};
