// Shows the OpenAPI document of this server. Calls go to where the page came from, which is the
// same server under whatever name it was reached by.
const root = new URL("../", window.location.href);
fetch(new URL("openapi.json", root))
  .then((response) => response.json())
  .then((spec) => {
    window.SwaggerUIBundle({
      spec: { ...spec, servers: [{ url: root.href.replace(/\/$/, "") }] },
      dom_id: "#swagger-ui",
      deepLinking: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      validatorUrl: null,
    });
  });
