import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.token.credentials.ProfileTokenProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sso.SsoClient;
import software.amazon.awssdk.services.sso.model.SsoException;
import software.amazon.awssdk.services.ssooidc.SsoOidcClient;
import software.amazon.awssdk.services.ssooidc.model.SsoOidcException;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.StsClientBuilder;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

/** The AWS SDK for Java as a program: one request a line in, one answer a line out (see clients_test.go). */
public final class Client {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\"\\s*:\\s*\"([^\"\\\\]*)\"");

    private SsoClient portal;
    private SsoOidcClient oidc;

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Client client = new Client();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, Object> answer;
            try {
                answer = client.serve(fields(line));
            } catch (RuntimeException | LinkageError e) { // whatever a client makes of it is the answer
                answer = answer("error", e.getClass().getSimpleName(), "message", String.valueOf(e.getMessage()));
            }
            System.out.println(json(answer));
            System.out.flush();
        }
    }

    private Map<String, Object> serve(Map<String, String> request) {
        String profile = request.get("profile");
        switch (request.get("do")) {
            case "version":
                return answer("version", "AWS SDK for Java " + VersionInfo.SDK_VERSION);
            case "identity":
                return identity(profile);
            case "credentials":
                return credentials(profile);
            case "token":
                return answer("expires", ProfileTokenProvider.create(profile).resolveToken().expirationTime().orElseThrow().toString());
            case "call":
                return call(request.get("op"));
            default:
                throw new IllegalArgumentException("cannot do " + request.get("do"));
        }
    }

    private static Map<String, Object> identity(String profile) {
        StsClientBuilder builder = StsClient.builder();
        if (profile == null || profile.isEmpty()) {
            builder.region(Region.US_EAST_1); // the chain looks elsewhere, and nothing there names a region
        } else {
            builder.overrideConfiguration(c -> c.defaultProfileName(profile));
        }
        try (StsClient sts = builder.build()) {
            GetCallerIdentityResponse who = sts.getCallerIdentity();
            return answer("account", who.account(), "arn", who.arn());
        }
    }

    /** Asks the default chain: system properties, environment, web identity, the profile, container, instance. */
    private static Map<String, Object> credentials(String profile) {
        try (DefaultCredentialsProvider chain =
                DefaultCredentialsProvider.builder().profileName(profile == null || profile.isEmpty() ? null : profile).build()) {
            AwsCredentials found = chain.resolveCredentials();
            Map<String, Object> answer = answer("access_key_id", found.accessKeyId());
            found.accountId().ifPresent(account -> answer.put("account", account));
            found.expirationTime().ifPresent(expires -> answer.put("expires", expires.toString()));
            return answer;
        }
    }

    /** Calls op with made-up arguments and tells how its refusal is typed. */
    private Map<String, Object> call(String op) {
        if (portal == null) {
            portal = SsoClient.builder()
                    .region(Region.US_EAST_1).credentialsProvider(AnonymousCredentialsProvider.create()).build();
            oidc = SsoOidcClient.builder()
                    .region(Region.US_EAST_1).credentialsProvider(AnonymousCredentialsProvider.create()).build();
        }
        switch (op) {
            case "RegisterClient":
                return refusal(() -> oidc.registerClient(r -> r.clientName("interop").clientType("public")));
            case "StartDeviceAuthorization":
                return refusal(() -> oidc.startDeviceAuthorization(r -> r.clientId("c").clientSecret("s").startUrl("u")));
            case "CreateToken":
                return refusal(() -> oidc.createToken(r -> r.clientId("c").clientSecret("s").grantType("refresh_token").refreshToken("r")));
            case "ListAccounts":
                return refusal(() -> portal.listAccounts(r -> r.accessToken("t")));
            case "ListAccountRoles":
                return refusal(() -> portal.listAccountRoles(r -> r.accessToken("t").accountId("111111111111")));
            case "GetRoleCredentials":
                return refusal(() -> portal.getRoleCredentials(r -> r.accessToken("t").accountId("111111111111").roleName("r")));
            case "Logout":
                return refusal(() -> portal.logout(r -> r.accessToken("t")));
            default:
                throw new IllegalArgumentException("cannot call " + op);
        }
    }

    private static Map<String, Object> refusal(Supplier<SdkResponse> call) {
        try {
            call.get();
        } catch (AwsServiceException e) {
            boolean base = e.getClass() == SsoException.class || e.getClass() == SsoOidcException.class;
            // The SDK reads "message"; what OIDC says stands in "error_description", a member of each of its exceptions.
            Object said = e.sdkFields().stream().filter(f -> f.locationName().equals("error_description"))
                    .<Object>map(f -> f.getValueOrDefault(e)).filter(Objects::nonNull).findAny()
                    .orElse(e.awsErrorDetails().errorMessage());
            return answer(
                    "type", base ? "" : e.getClass().getSimpleName(),
                    "code", e.awsErrorDetails().errorCode(),
                    "status", e.statusCode(),
                    "message", said);
        }
        return answer("status", 200);
    }

    private static Map<String, Object> answer(Object... namesAndValues) {
        Map<String, Object> answer = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            answer.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return answer;
    }

    /** The requests are flat, and no value of theirs needs an escape. */
    private static Map<String, String> fields(String line) {
        Map<String, String> fields = new LinkedHashMap<>();
        for (Matcher m = FIELD.matcher(line); m.find();) {
            fields.put(m.group(1), m.group(2));
        }
        return fields;
    }

    private static String json(Map<String, Object> answer) {
        StringBuilder out = new StringBuilder("{");
        answer.forEach((name, value) -> {
            if (value != null) {
                out.append(out.length() > 1 ? "," : "").append(quoted(name)).append(':')
                        .append(value instanceof Integer ? value : quoted(value.toString()));
            }
        });
        return out.append('}').toString();
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            out.append(c == '"' || c == '\\' || c < ' ' || c > '~' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
        }
        return out.append('"').toString();
    }
}
