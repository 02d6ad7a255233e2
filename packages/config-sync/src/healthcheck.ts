import { probe } from "@pillion/kit/healthcheck";
import { identity } from "./identity.ts";

probe(identity.name, identity.adminListen);
