function e(t,{target:o,props:n}){return t(o,n)}function u(t){t.destroy()}export{e as mount,u as unmount};
